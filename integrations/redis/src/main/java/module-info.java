/** Limits that processes share, and caches of two tiers, on Redis or Valkey. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Lettuce is no module yet
module dev.levee.redis {
    requires transitive dev.levee.core;
    requires transitive dev.levee.ratelimit;
    requires transitive dev.levee.loadbalancing;
    requires transitive dev.levee.cache;
    requires transitive lettuce.core;
    requires static transitive com.fasterxml.jackson.databind;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.redis;
    exports dev.levee.redis.cache;
}
