"""Everything that is measured, in the order in which it is."""

from benchmarks.measures.connections import ACCEPTING, MEMORY
from benchmarks.measures.growth import HEARING, QUESTIONS_ASKED, SWEEP
from benchmarks.measures.pages import PAGES
from benchmarks.measures.sends import SENDS
from benchmarks.measures.sockets import SOCKETS
from benchmarks.measures.storm import STORM

CATALOGUE = (SOCKETS, SENDS, ACCEPTING, MEMORY, STORM, PAGES, HEARING, QUESTIONS_ASKED, SWEEP)
