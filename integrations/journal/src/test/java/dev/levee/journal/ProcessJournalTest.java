package dev.levee.journal;

import dev.levee.cache.writebehind.WriteJournal.Durability;

class ProcessJournalTest extends FileJournalContract {
    ProcessJournalTest() {
        super(Durability.PROCESS);
    }
}
