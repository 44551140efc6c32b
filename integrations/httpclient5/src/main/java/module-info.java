/** Levee around Apache HttpClient 5. */
@SuppressWarnings({"module", "requires-automatic", "requires-transitive-automatic"
}) // HttpClient has no module descriptors
module dev.levee.httpclient5 {
    requires transitive dev.levee.core;
    requires transitive dev.levee.http;
    requires transitive dev.levee.loadbalancing;
    requires transitive org.apache.httpcomponents.client5.httpclient5;
    requires transitive org.apache.httpcomponents.core5.httpcore5;
    requires static transitive org.jspecify;

    exports dev.levee.httpclient5;
}
