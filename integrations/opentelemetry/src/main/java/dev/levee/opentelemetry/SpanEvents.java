package dev.levee.opentelemetry;

import dev.levee.core.Listener;
import dev.levee.core.Policy;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;

/** Events of policies on the current span. */
final class SpanEvents implements Listener {
    static final SpanEvents INSTANCE = new SpanEvents();

    private static final AttributeKey<String> KIND = AttributeKey.stringKey("levee.policy.kind");
    private static final AttributeKey<String> POLICY = AttributeKey.stringKey("levee.policy.name");
    private static final AttributeKey<String> FROM = AttributeKey.stringKey("levee.state.from");
    private static final AttributeKey<String> TO = AttributeKey.stringKey("levee.state.to");
    private static final AttributeKey<String> SOURCE = AttributeKey.stringKey("levee.source");

    /** In seconds. */
    private static final AttributeKey<Double> DELAY = AttributeKey.doubleKey("levee.delay");

    private SpanEvents() {}

    @Override
    public void onRefused(Policy.Kind kind, String policy) {
        Span span = Span.current();
        if (span.isRecording()) {
            span.addEvent("levee.refused", of(kind, policy).build());
        }
    }

    @Override
    public void onAttempt(Policy.Kind kind, String policy, int attempt, long delayNanos) {
        Span span = Span.current();
        if (span.isRecording()) {
            AttributesBuilder attributes = of(kind, policy).put(TracedCalls.ATTEMPT, (long) attempt);
            span.addEvent(
                    "levee.attempt", attributes.put(DELAY, delayNanos / 1e9).build());
        }
    }

    @Override
    public void onStateChange(Policy.Kind kind, String policy, String from, String to) {
        Span span = Span.current();
        if (span.isRecording()) {
            span.addEvent(
                    "levee.state_change",
                    of(kind, policy).put(FROM, from).put(TO, to).build());
        }
    }

    @Override
    public void onDegraded(Policy.Kind kind, String policy, String source, Throwable error) {
        Span span = Span.current();
        if (span.isRecording()) {
            AttributesBuilder attributes = of(kind, policy).put(SOURCE, source);
            span.addEvent(
                    "levee.degraded",
                    attributes
                            .put(TracedCalls.ERROR_TYPE, TracedCalls.typeOf(error))
                            .build());
        }
    }

    private static AttributesBuilder of(Policy.Kind kind, String policy) {
        return Attributes.builder().put(KIND, kind.label()).put(POLICY, policy);
    }
}
