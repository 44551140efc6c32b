/** Limits of rates, for all calls or for each key, of work in flight, and limits that several processes share. */
module dev.levee.ratelimit {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.ratelimit;
    exports dev.levee.ratelimit.shared;
    exports dev.levee.ratelimit.http;
    exports dev.levee.ratelimit.concurrency;
    exports dev.levee.ratelimit.work;
}
