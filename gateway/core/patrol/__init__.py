"""Patrol: rounds, taps and the proof that a guard was there.

=====================  =============================================================================================
module                 what it knows
=====================  =============================================================================================
``routes``             what the site says: guards, stops, routes, coverage, posts
``memory``             what is remembered: taps, rounds, tags, sources, duty
``flags``              every word that can stand beside a tap or a round, and whether it counts then
``taps``               a tap comes in: known or new, whose tag, when, how strong, which rounds
``clocks``             when a tap was really made
``seals``              cryptographic taps against each other: counters and times
``rounds``             a round from its due time to its close
``judging``            what the taps of a round mean, stop by stop; depends on the taps and never on their order
``verdicts``           what a tap is worth among the others, and what its rounds and its checkpoint make of that
``whereabouts``        which live rounds a checkpoint or a source belongs to
``sources``            readers and phones: when each was heard, and whether it may hold taps nobody has seen
``places``             checkpoints: their last proofs, what was missed there, the largest gap
``voice``              the gateway speaks for checkpoints, routes and guards, so that what goes wrong is an alert
``contact``            the dead-man timer
``duty``               who is on duty at a post, and hand-over
``registry``           which tag was where, when, in which epoch
``acts``               what people ask: review, make-up, skip, check in, call for help
=====================  =============================================================================================
"""
