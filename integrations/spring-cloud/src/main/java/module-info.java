/** Spring Cloud on Levee. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Spring has no module descriptors
module dev.levee.spring.cloud {
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires dev.levee.circuitbreaker;
    requires dev.levee.http;
    requires dev.levee.ratelimit;
    requires org.reactivestreams;
    requires transitive reactor.core;
    requires transitive spring.beans;
    requires transitive spring.core;
    requires transitive spring.context;
    requires transitive spring.web;
    requires transitive spring.boot.autoconfigure;
    requires static transitive spring.cloud.commons;
    requires static spring.cloud.context;
    requires static transitive spring.cloud.loadbalancer;
    requires static transitive spring.cloud.gateway.server.webflux;
    requires static transitive spring.webflux;
    requires static transitive org.jspecify;

    exports dev.levee.spring.cloud;

    opens dev.levee.spring.cloud;
}
