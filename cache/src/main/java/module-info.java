/** Caches in front of a store. */
module dev.levee.cache {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires com.github.benmanes.caffeine;
    requires static transitive org.jspecify;

    exports dev.levee.cache;
    exports dev.levee.cache.writebehind;
}
