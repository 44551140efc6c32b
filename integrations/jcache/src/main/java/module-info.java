/** The caches of Levee behind the interfaces of JSR 107. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // JSR 107 has no module descriptor
module dev.levee.jcache {
    requires transitive dev.levee.core;
    requires transitive dev.levee.cache;
    requires transitive cache.api;
    requires static transitive org.jspecify;

    exports dev.levee.jcache;

    provides javax.cache.spi.CachingProvider with
            dev.levee.jcache.LeveeCachingProvider;
}
