"""Words that may reveal something private about a person, and the company they keep: features for the sensitive classifier.

A word of a condition, a faith or a visa says little by itself; in one sentence with "I", "my wife" or "our son" it may say
something about somebody. The words are the project's own; they weigh nothing by themselves, the classifier learns what they mean.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from coprod_nlp.reading.cues import has_word
from coprod_nlp.text.tokens import TokenBatch, word_ids

KINDS: Mapping[str, str] = {
    "health": """
        adhd addict addicted addiction alcoholic alzheimer alzheimers amputee anorexia anorexic antidepressants anxiety arthritis
        arthritic asthma asthmatic autism autistic bipolar biopsy blind bulimia cancer cataracts cerebral chemo chemotherapy
        coeliac celiac cholesterol chronic clinic colostomy concussion copd counselling counselor covid crohn crutches deaf
        dementia depressed depression diabetes diabetic diagnosed diagnosis dialysis disabled disability dyslexia dyslexic
        dyspraxia eczema endometriosis epilepsy epileptic fibromyalgia fracture heart hearing hepatitis hip hiv hospice hospital
        hospitalised hospitalized inhaler insulin ivf kidney knee leukaemia leukemia lupus medication meds menopause migraine
        migraines miscarriage ms nhs ocd oncology operation overdose pacemaker palliative panic parkinson parkinsons pills
        pregnant pregnancy prosthetic psychiatric psychiatrist psychologist psychosis ptsd radiotherapy rehab relapse relapsed
        schizophrenia scan sectioned seizure seizures selfharm sober sobriety stammer stillborn stroke suicidal suicide surgery
        syndrome therapist therapy tremor tumour tumor walker wheelchair ward
    """,
    "faith": """
        agnostic atheist baptised baptist baptized bible buddhist catholic catholics chapel christian christians church
        congregation convert diocese faith gospel gurdwara hajj halal hijab hindu imam iman jehovah jew jewish kosher lutheran
        masjid mass methodist mormon mosque muslim parish pastor pray prayed prayer prayers praying preacher priest quaker rabbi
        ramadan religious religion sikh sunday synagogue temple vicar worship
    """,
    "sexuality": """
        asexual bi bisexual boyfriend civil closet closeted dyke gay girlfriend husband lesbian lgbt lgbtq nonbinary outed partner
        pride queer trans transgender transitioned transitioning transition wife
    """,
    "origin": """
        aboriginal african african-american ancestry arab asian bangladeshi biracial black brown caribbean chinese dialect ethnic
        ethnicity eurasian filipino gypsy heritage hispanic hokkien indian indigenous irish jamaican japanese kurdish latina
        latino malay maori mixed nigerian pakistani peranakan polish punjabi race roma romani romanian somali tamil teochew
        traveller turkish ukrainian vietnamese white
    """,
    "politics": """
        bjp campaigner canvass canvassed canvassing conservative conservatives dem democrat democrats dsa greens labour leafleting
        lib libdem liberal libertarian member membership momentum ndp pap party reform republican republicans socialist tory
        tories ukip voted voting
    """,
    "union": """
        afscme convenor ibew nurses picket rep seiu shop steward strike striking teamster teamsters ucu union unions unison unite
        unionised
    """,
    "migration": """
        asylum citizen citizenship deportation deported deport dreamer daca ead expat greencard green h1b h-1b ilr immigrant
        immigrants immigrated immigration leave migrant overstayed passport pr permit refugee refugees remain settled spouse
        status undocumented visa visas work
    """,
    "crime": """
        arrested assault bail cautioned charged conviction convicted convict court custody dui felon felony jail jailed
        magistrates misdemeanor offence offender parole prison probation prosecuted record released sentence sentenced served
        shoplifting tag tagged theft time
    """,
    "minor": """
        a-level a-levels form freshman gcse gcses grade grader high homework junior mum mom parents psle school sixth sophomore
        student teacher teen teenager year yr age aged old 11 12 13 14 15 16 17 yo
    """,
}  # fmt: skip
PERSONS = """
        i me my myself mine i'm im we us our ours he she his her him aunt auntie boy brother child cousin dad daddy daughter
        father flatmate friend gf girl grandad granddad grandfather grandma grandmother granny gran grandson granddaughter husband
        kid kids mate mother mum mom mam mama nan nana neighbor neighbour nephew niece parents partner roommate sis sister son
        uncle wife colleague coworker boss missus hubby fiance
    """
# A mention without a person in the sentence, and one with; with an author ("I", "my"), counted apart.
AUTHOR = "i me my myself mine i'm im we us our"
SCALE = 0.5


_KINDS = tuple(word_ids(words) for words in KINDS.values())
_PERSONS, _AUTHOR = word_ids(PERSONS), word_ids(AUTHOR)


def sensitive_features(tokens: TokenBatch, count: int) -> NDArray[np.float64]:
    """(posts, 27) for each kind of private matter: whether a sentence names it, names it beside a person, beside the author."""
    sentences = len(tokens.sentence_text)
    found = np.zeros((count, 3 * len(_KINDS)))
    if not sentences:
        return found
    has_person, has_author = has_word(tokens, _PERSONS), has_word(tokens, _AUTHOR)
    for place, ids in enumerate(_KINDS):
        named = has_word(tokens, ids)
        for offset, beside in enumerate((np.ones(sentences, dtype=bool), has_person, has_author)):
            np.maximum.at(found[:, 3 * place + offset], tokens.sentence_text, SCALE * (named & beside))
    return found
