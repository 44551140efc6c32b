/** Levee around HTTP clients. */
@SuppressWarnings("module") // the adapters named below are compiled after this module
module dev.levee.http {
    requires transitive dev.levee.circuitbreaker;
    requires transitive dev.levee.core;
    requires transitive dev.levee.loadbalancing;
    requires transitive java.net.http;
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.http;
    exports dev.levee.http.blocking to
            dev.levee.httpclient5,
            dev.levee.okhttp;
    exports dev.levee.http.internal to
            dev.levee.httpclient5,
            dev.levee.okhttp;
}
