/** A circuit breaker that costs a few nanoseconds and no allocation while it is closed. */
module dev.levee.circuitbreaker {
    requires transitive dev.levee.core;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.circuitbreaker;
}
