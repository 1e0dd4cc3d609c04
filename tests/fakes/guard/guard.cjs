// Loaded by every Node process that a test starts: it listens on 127.0.0.1 only, no connection or look-up goes further than this machine,
// and each attempt is written down. What sitecustomize.py is for Python.
"use strict";

const dgram = require("node:dgram");
const dns = require("node:dns");
const fs = require("node:fs");
const { syncBuiltinESMExports } = require("node:module");
const net = require("node:net");

const RECORD = process.env.TEST_GUARD_RECORD;
const HERE = ["127.", "::1", "localhost", "0.0.0.0"];

function check(host) {
  const name = String(host || "localhost");
  if (HERE.some((start) => name.startsWith(start))) return;
  fs.appendFileSync(RECORD, `${name}\n`);
  throw new Error(`a test reached for ${name}; only this machine is allowed`);
}

// Where `connect` and `listen` are asked to go: options, a port with a host, or the path of a socket, as Node takes them.
function asked([first, second]) {
  const [given] = Array.isArray(first) ? first : [first];
  if (given && typeof given === "object") return given;
  return Number.isInteger(Number(given)) ? { port: Number(given), host: typeof second === "string" ? second : undefined } : { path: given };
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...given) {
  const { path, host } = asked(given);
  if (!path) check(host);
  return connect.apply(this, given);
};

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  const { path, port } = asked(given);
  return path || port === undefined ? listen.apply(this, given) : listen.call(this, port, "127.0.0.1", given.find((each) => typeof each === "function"));
};

const send = dgram.Socket.prototype.send;
dgram.Socket.prototype.send = function (...given) {
  check(given.findLast((each) => typeof each === "string"));
  return send.apply(this, given);
};

for (const asking of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
  for (const name of Object.getOwnPropertyNames(asking).filter((each) => /^(lookup$|resolve|reverse)/.test(each))) {
    const original = asking[name];
    asking[name] = function (host, ...rest) {
      check(host);
      return original.call(this, host, ...rest);
    };
  }
}
syncBuiltinESMExports();
