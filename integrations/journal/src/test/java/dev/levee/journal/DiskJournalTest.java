package dev.levee.journal;

import dev.levee.cache.writebehind.WriteJournal.Durability;

class DiskJournalTest extends FileJournalContract {
    DiskJournalTest() {
        super(Durability.DISK);
    }
}
