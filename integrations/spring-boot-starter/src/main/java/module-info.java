/** Levee in a Spring Boot application. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Spring has no module descriptors
module dev.levee.spring {
    requires transitive dev.levee.core;
    requires transitive dev.levee.circuitbreaker;
    requires transitive dev.levee.ratelimit;
    requires transitive dev.levee.micrometer;
    requires org.slf4j;
    requires static transitive dev.levee.console;
    requires static transitive dev.levee.jdbc;
    requires static transitive java.sql;
    requires static transitive micrometer.core;
    requires static transitive spring.aop;
    requires static transitive spring.beans;
    requires static transitive spring.boot;
    requires static transitive spring.boot.autoconfigure;
    requires static transitive spring.boot.actuator;
    requires static transitive spring.boot.actuator.autoconfigure;
    requires static transitive spring.context;
    requires static transitive spring.core;
    requires static transitive spring.expression;
    requires static transitive reactor.core;
    requires static transitive org.reactivestreams;
    requires static transitive org.jspecify;

    exports dev.levee.spring;

    opens dev.levee.spring to
            spring.core,
            spring.beans,
            spring.context;
}
