/** Spring's cache abstraction on the caches of Levee. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Spring has no module descriptors
module dev.levee.springcache {
    requires transitive dev.levee.core;
    requires transitive dev.levee.cache;
    requires static transitive spring.context;
    requires static transitive org.jspecify;

    exports dev.levee.springcache;
}
