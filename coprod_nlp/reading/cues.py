"""Words of policy areas, and cues of what an author does in a sentence: features beside plain runs of words.

Six thousand messages cannot hold every word for a bin or a bus, nor every verb of giving; these lists, the project's own, lend the
classifiers what people know. They decide nothing by themselves.
"""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.text.tokens import Ids, TokenBatch, word_ids

AREA_WORDS: Mapping[str, str] = {
    "parks": """
        park parks playground playgrounds garden gardens gardening gardeners allotment allotments tree trees green greenspace
        bench benches meadow woodland woods bandstand lawn mowing mow mown hedge hedges planting planted planters flowerbed
        flowerbeds common rec swings pond orchard verge verges plot plots arboretum trail trails nparks
    """,
    "environment": """
        climate carbon emissions energy solar wind renewable renewables river rivers stream creek beach sea flood flooding floods
        flooded sewage pollution polluted air smog wildlife birds bird bees bee insects butterflies biodiversity conservation
        habitat nature species ecology environmental environment heat insulation drought fracking coal plastic water wetlands
        wetland lake bay ocean coral haze bats otter otters fish hedgehogs pesticide pesticides rewilding culvert sandbags kwh
        turbine
    """,
    "waste": """
        waste rubbish trash garbage bin bins recycling recycle recycled recyclable litter littering landfill tip dump dumped
        dumping fly-tipping flytipping tipping fly compost composting repair repairs mend mending reuse reused graffiti sweeping
        sweeper skip skips mattress mattresses refuse sacks bags butts bottles wrappers chute collectors bulky freecycle upcycle
        clean-up cleanup
    """,
    "transport": """
        bus buses train trains tram trams rail railway metro subway mrt lrt bart mta tube station stations road roads street
        streets pothole potholes parking parked car cars traffic congestion bike bikes bicycle bicycles cycling cyclist cyclists
        cycle lane lanes crosswalk crossing pedestrian pedestrians pavement pavements sidewalk sidewalks kerb junction roundabout
        speeding commute commuting transit highway freeway motorway driver drivers toll tolls ferry ltn zebra bollard bollards
        streetcar walking cycleway commuters fares fare
    """,
    "planning": """
        planning development developer developers zoning rezoning building buildings tower towers skyscraper heritage listed
        historic demolish demolished demolition construction architecture architects downtown storefront storefronts redevelopment
        regeneration conservation permission highrise landmark preservation facade urban density plaza stadium planner planners
        greenfield brownfield vacant derelict
    """,
    "housing": """
        housing house houses home homes homeless homelessness rent rents rental renters renter landlord landlords tenant tenants
        tenancy eviction evicted evictions lease shelter shelters apartment apartments flat flats hdb bto condo condos mortgage
        affordable damp mould mold squat squatters rough sleepers encampment section 8 estate deposit
    """,
    "social_care": """
        elderly seniors senior older old lonely loneliness carer carers caring care disabled disability wheelchair accessible
        accessibility neighbour neighbours neighbor neighbors befriending dementia respite isolated shopping errands lifts blind
        deaf autism hospice companionship visiting pensioners pensioner caregiver caregivers nursing
    """,
    "children": """
        child children kid kids baby babies toddler toddlers nursery nurseries childcare daycare youth teen teens teenagers
        teenager young playgroup parents parent parenting scouts cubs brownies guides foster fostering adoption creche preschool
        mum mums dads family families babysitting pram families
    """,
    "education": """
        school schools teacher teachers teaching teach student students pupil pupils tutor tutoring tutors tuition class classes
        classroom college university education learning learn homework literacy reading maths math psle exam exams curriculum gcse
        governor governors pta scholarship principal headteacher lessons workshop workshops esl english
    """,
    "culture": """
        library libraries librarian librarians museum museums gallery art arts artist artists theatre theater music festival
        festivals concert concerts choir orchestra cinema film films history historical archive archives mural murals exhibition
        band poetry book books dance performance performers culture cultural stage opera playhouse genealogy
    """,
    "leisure": """
        sport sports football soccer rugby cricket basketball baseball hockey swimming swim pool pools gym gyms tennis running run
        parkrun club clubs leisure coach coaching coaches team pitch pitches skatepark skate athletics badminton netball bowls
        league marathon fitness yoga court courts rink training
    """,
    "health": """
        health blood donate donor donors vaccine vaccines vaccination clinic clinics hospital hospitals gp doctors doctor nurse
        nurses nhs mental wellbeing aid defibrillator defib cpr covid mask masks obesity smoking vaping drugs opioid naloxone
        overdose polyclinic dentist ambulance screening suicide samaritans hotline public disease epidemic
    """,
    "safety": """
        crime crimes police cops cop officer officers robbery robbed stolen theft thefts burglary burglar burglars stabbing
        stabbed shooting shot murder missing arrested arrest assault assaulted mugged mugging vandalism vandals vandalised
        antisocial gang gangs fire firefighters emergency scam scams scammer scammers safety safe unsafe knife guns gun rape
        violence flood evacuation earthquake hurricane tornado storm lights cctv lookout suspect suspects killed victim victims
        alarm patrol watch
    """,
    "hardship": """
        food bank banks pantry hungry hunger meals poverty poor benefits welfare universal debt debts donations donate donated
        coats blankets clothes nappies diapers formula essentials cost bills vouchers unemployed charity assistance afford
        struggling homeless tins cans groceries snap stamps toiletries heating fuel soup kitchen
    """,
    "economy": """
        jobs job business businesses shop shops market markets traders trader stall stalls economy economic employment employers
        employer wage wages workers worker tourism tourists apprenticeship apprenticeships startup startups entrepreneurs hiring
        internship vendors restaurant restaurants local independent retail closing closed minimum unemployment industry factory
        hawker hawkers chamber
    """,
    "digital": """
        broadband internet wifi fibre fiber online digital data app apps website computer computers laptops laptop tablets coding
        code open software hackathon connection isp comcast 5g signal dataset datasets api map maps mapping tech technology email
        password cyber outage phones devices device
    """,
    "democracy": """
        council councillor councillors councilman councilmember mayor vote voting voters election elections elected ballot
        petition petitions consultation consultations democracy democratic referendum tax taxes taxpayers budget meeting meetings
        hearing hearings mp representative representatives citizens residents board commissioners commissioner town hall borough
        ward parish govt government transparency protest participation survey candidate candidates
    """,
    "animals": """
        dog dogs cat cats puppy kitten kittens animal animals pet pets stray strays shelter rescue rescues vet vets spay neuter
        adopted adopt adoption leash lead kennel kennels rabbit foster poo fouling microchip chipped rspca spca aspca humane
        hedgehog fox foxes pigeon pigeons horse swan injured coyotes coyote
    """,
}  # fmt: skip
CUE_WORDS: Mapping[str, str] = {
    "author": "i i'm me my myself i'd i'll i've",
    "we": "we us our we're we'll we've ourselves",
    "you": """
        you your yourselves anyone anybody everyone everybody all folks people guys somebody someone who y'all
    """,
    "they": "he she they his her their them him it",
    "can": "can could will 'll ll would 'd d may might able",
    "must": "should must need needs ought shall has have",
    "not": "not n't no never without nobody nothing cannot nor neither hardly",
    "happy": "happy glad free spare available willing keen love gladly sure up offer offering offered game",
    "give": """
        help lend loan bring drive carry give donate donating teach tutor fix mend build make cook host run share provide sponsor
        volunteer volunteering pick collect deliver coach translate print walk clean paint plant dig water test write map train
        mentor contribute pitch chip take do drop borrow
    """,
    "habit": """
        run runs running volunteer volunteers volunteering every weekly monthly week weekend saturdays sundays mondays tuesdays
        wednesdays thursdays fridays years since regularly usually been coach lead organise organize look keep kept maintain
    """,
    "past": "was were did had used ended stopped retired former once ago last gave left",
    "join": """
        join joining sign signup volunteer volunteering involved involvement part participate donate donating contribute help
        apply register attend enrol enlist
    """,
    "how": "how where who which what when whom does is are any",
    "come": """
        join come meet meeting sign bring gather help together petition rally march turn rsvp spread register lets let's let us
        calling needed wanted volunteers volunteer clean-up cleanup drive support
    """,
    "time": """
        saturday sunday monday tuesday wednesday thursday friday tomorrow tonight am pm noon morning evening weekend o'clock 9am
        10am 11am 2pm 6pm 7pm at on
    """,
    "skill": """
        retired professional qualified trained experience experienced degree certified trade electrician plumber nurse teacher
        engineer developer lawyer accountant carpenter joiner designer architect van truck trailer tools licence license fluent
        bilingual background worked spent as
    """,
    "barrier": """
        but would can't couldn't wish only if unless time work shift shifts hours cost afford childcare access insurance nobody
        how know nowhere
    """,
    "job": """
        pay paid tax taxes job their council's salary wages why free unpaid waste pointless bother someone else's
    """,
    "sell": """
        £ $ price sale quote dm pm hire rates discount business company customers per hour offer deals sell selling fee
    """,
    "thanks": "thank thanks congrats kudos well done amazing",
    "love": "love proud our community together all town city home care better future generations",
    "ask": "please anyone anybody does looking need help recommend recommendation advice where what how any",
    "gripe": """
        again still disgrace disgusting awful terrible ridiculous useless joke shambles broken worse worst hate sick fed shame
        appalling late closed
    """,
    "measure": """
        should could instead why add install make ban build put introduce create require fund turn allow more give
    """,
}  # fmt: skip
AREA_SCALE, CUE_SCALE, PAIR_SCALE = 0.4, 0.25, 0.2

_AREAS = tuple(word_ids(words) for words in AREA_WORDS.values())
_CUES = tuple(word_ids(words) for words in CUE_WORDS.values())
_PAIRS = tuple(combinations(range(len(_CUES)), 2))


def area_features(tokens: TokenBatch, count: int) -> NDArray[np.float64]:
    """(posts, 36) for each policy area: whether a post has a word of it, and how many of its words are, up to three."""
    found = np.stack([np.bincount(tokens.text[np.isin(tokens.ids, ids)], minlength=count) for ids in _AREAS], axis=1)
    return AREA_SCALE * np.concatenate([found > 0, np.minimum(found, 3) / 3], axis=1)


def cue_features(tokens: TokenBatch) -> NDArray[np.float64]:
    """(sentences, cues + pairs of cues) which cues a sentence has, and which of them together."""
    count = len(tokens.sentence_text)
    found = np.stack([has_word(tokens, ids) for ids in _CUES], axis=1) if count else np.zeros((0, len(_CUES)), dtype=bool)
    first, second = (np.array(side) for side in zip(*_PAIRS, strict=True))
    return np.concatenate([CUE_SCALE * found, PAIR_SCALE * (found[:, first] & found[:, second])], axis=1)


def has_word(tokens: TokenBatch, ids: Ids) -> NDArray[np.bool_]:
    """(sentences,) whether a sentence has one of some words."""
    return np.bincount(tokens.sentence[np.isin(tokens.ids, ids)], minlength=len(tokens.sentence_text)) > 0
