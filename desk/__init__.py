"""The web application in which officers and analysts work."""
