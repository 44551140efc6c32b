/**
 * The core of Levee: operations, policies, gates, pipelines, outcomes, time and events.
 *
 * <p>{@link dev.levee.core} is the vocabulary, {@link dev.levee.core.policy} holds the policies that need no module of
 * their own, {@link dev.levee.core.idempotency} runs an operation once for each key, {@link dev.levee.core.testing}
 * lets tests move time by hand, {@link dev.levee.core.signals} counts and times calls,
 * {@link dev.levee.core.consistency} says how fresh data must be. See ADR 1.
 */
@SuppressWarnings("module") // the siblings named below are compiled after this module
module dev.levee.core {
    requires org.slf4j;
    requires static transitive org.jspecify;

    exports dev.levee.core;
    exports dev.levee.core.consistency;
    exports dev.levee.core.histogram;
    exports dev.levee.core.idempotency;
    exports dev.levee.core.policy;
    exports dev.levee.core.signals;
    exports dev.levee.core.testing;
    exports dev.levee.core.internal to
            dev.levee.circuitbreaker,
            dev.levee.ratelimit,
            dev.levee.loadbalancing,
            dev.levee.cache,
            dev.levee.jdbc,
            dev.levee.redis,
            dev.levee.http,
            dev.levee.http.server,
            dev.levee.httpclient5,
            dev.levee.okhttp,
            dev.levee.dns,
            dev.levee.journal,
            dev.levee.spring,
            dev.levee.springcache,
            dev.levee.jcache,
            dev.levee.micrometer,
            dev.levee.opentelemetry,
            dev.levee.contextpropagation,
            dev.levee.console,
            dev.levee.grpc,
            dev.levee.spring.web,
            dev.levee.spring.cloud;
    exports dev.levee.core.internal.parts to
            dev.levee.ratelimit,
            dev.levee.loadbalancing,
            dev.levee.cache,
            dev.levee.jdbc,
            dev.levee.redis,
            dev.levee.springcache,
            dev.levee.jcache;
}
