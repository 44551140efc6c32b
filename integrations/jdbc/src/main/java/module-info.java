/** Idempotency keys, limits and stores in a database, and routing to its primary and replicas. */
module dev.levee.jdbc {
    requires transitive dev.levee.core;
    requires transitive dev.levee.ratelimit;
    requires transitive dev.levee.loadbalancing;
    requires transitive dev.levee.cache;
    requires transitive java.sql;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.jdbc;
    exports dev.levee.jdbc.routing;
}
