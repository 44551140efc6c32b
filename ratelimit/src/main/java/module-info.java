/** Rate limiters: one limit for all calls, or one for each key. */
module dev.levee.ratelimit {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.ratelimit;
    exports dev.levee.ratelimit.work;
}
