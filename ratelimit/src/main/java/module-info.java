/** Rate limits, keyed limits and adaptive concurrency. */
module dev.levee.ratelimit {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.ratelimit;
}
