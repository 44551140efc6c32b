/** All of Levee: requiring this module is requiring the five. */
module dev.levee {
    requires transitive dev.levee.core;
    requires transitive dev.levee.circuitbreaker;
    requires transitive dev.levee.ratelimit;
    requires transitive dev.levee.loadbalancing;
    requires transitive dev.levee.cache;
}
