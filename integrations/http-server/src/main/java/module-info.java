/** Rate limits for the clients of an HTTP server. */
module dev.levee.http.server {
    requires transitive dev.levee.core;
    requires transitive dev.levee.ratelimit;
    requires org.slf4j;
    requires static transitive jakarta.servlet;
    requires static transitive jdk.httpserver;
    requires static transitive org.jspecify;

    exports dev.levee.http.server;
}
