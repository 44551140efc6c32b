/** Levee inside OkHttp. */
@SuppressWarnings({"requires-automatic", "requires-transitive-automatic"}) // OkHttp is one for the compiler
module dev.levee.okhttp {
    requires transitive dev.levee.core;
    requires transitive dev.levee.http;
    requires transitive dev.levee.loadbalancing;
    requires transitive okhttp3;
    requires okio;
    requires static transitive org.jspecify;

    exports dev.levee.okhttp;
}
