/** Levee around HTTP clients. */
module dev.levee.http {
    requires transitive dev.levee.circuitbreaker;
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires transitive java.net.http;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.http;
}
