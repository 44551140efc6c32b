/** Levee around the HTTP clients and servers of Spring. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Spring has no module descriptors
module dev.levee.spring.web {
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires dev.levee.circuitbreaker;
    requires dev.levee.http;
    requires dev.levee.ratelimit;
    requires org.slf4j;
    requires transitive spring.core;
    requires static transitive spring.web;
    requires static transitive spring.webflux;
    requires static transitive reactor.core;
    requires static transitive jakarta.servlet;
    requires static transitive spring.beans;
    requires static transitive spring.context;
    requires static transitive spring.boot;
    requires static transitive spring.boot.autoconfigure;
    requires static org.reactivestreams;
    requires static transitive org.jspecify;

    exports dev.levee.spring.web;
    exports dev.levee.spring.web.autoconfigure;

    opens dev.levee.spring.web.autoconfigure;
}
