/** A journal of writes that a write-behind has accepted, in files. */
module dev.levee.journal {
    requires transitive dev.levee.cache;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.journal;
}
