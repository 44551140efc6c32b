/** Levee around the HTTP clients and servers of Spring. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // Spring has no module descriptors
module dev.levee.spring.web {
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires dev.levee.circuitbreaker;
    requires dev.levee.http;
    requires org.slf4j;
    requires spring.core;
    requires static transitive spring.web;
    requires static transitive org.jspecify;

    exports dev.levee.spring.web;
}
