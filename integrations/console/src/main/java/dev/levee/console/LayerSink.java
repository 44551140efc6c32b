package dev.levee.console;

import dev.levee.core.Measured;
import dev.levee.core.Metric;
import dev.levee.core.Policy;
import dev.levee.core.histogram.LatencyHistogram;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;

/**
 * Sorts figures by the policy that they belong to, as they come, and keeps a bounded number of policies: the first ones
 * in their order, and of the rest those with most trouble, then those with most calls. So ten thousand keys cost a poll
 * of ten thousand keys, and no more. Used by one thread.
 */
final class LayerSink implements Measured.Sink {
    /** How many policies are kept in their order. */
    static final int MAX_FIRST = 24;

    /** How many of the others are kept. */
    static final int MAX_OTHERS = 24;

    /** How many endpoints are kept. */
    static final int MAX_ENDPOINTS = 50;

    private static final String ENDPOINT = "endpoint";
    private static final String SUCCESS = "success";

    private static final Comparator<Layer> BY_TROUBLE =
            Comparator.<Layer>comparingInt(layer -> layer.trouble).thenComparingDouble(LayerSink::weight);

    private final Map<String, Layer> first = new LinkedHashMap<>();
    private final PriorityQueue<Layer> others = new PriorityQueue<>(BY_TROUBLE);
    private final PriorityQueue<Layer> endpoints = new PriorityQueue<>(BY_TROUBLE);
    private final Latencies latencies;
    private final long nowNanos;
    private List<String> states = List.of();
    private Layer current = new Layer("", "");
    private long moreLayers;
    private long moreEndpoints;

    LayerSink(Latencies latencies, long nowNanos) {
        this.latencies = latencies;
        this.nowNanos = nowNanos;
    }

    @Override
    public void value(String policy, Metric metric, List<String> tags, double value) {
        states = metric.states();
        try {
            Measured.Sink.super.value(policy, metric, tags, value);
        } finally {
            states = List.of();
        }
    }

    @Override
    public void value(String policy, String metric, double value) {
        layer(kindOf(metric), policy).add(metric, value, states);
    }

    @Override
    public void policy(Policy policy) {
        if (Controls.controls(policy)) {
            layer(policy.kind().label(), policy.name()).policy = policy;
        }
    }

    /** Adds the latencies of the last seconds as figures: those of calls that ended well. */
    @Override
    public void histogram(String policy, Metric metric, List<String> tags, LatencyHistogram.Source source) {
        if (!tags.isEmpty() && !tags.get(0).equals(SUCCESS)) {
            return;
        }
        LatencyHistogram recent = latencies.recent(source, nowNanos);
        if (recent != null && recent.count() > 0) {
            Layer layer = layer(kindOf(metric.name()), policy);
            layer.add(metric.name() + ".p50.nanos", (double) recent.quantileNanos(0.5), List.of());
            layer.add(metric.name() + ".p99.nanos", (double) recent.quantileNanos(0.99), List.of());
        }
    }

    private static String kindOf(String metric) {
        int dot = metric.indexOf('.');
        return dot < 0 ? metric : metric.substring(0, dot);
    }

    /** Returns the layer of a policy; makes it if it has not come yet. */
    Layer layer(String kind, String name) {
        if (current.kind.equals(kind) && current.name.equals(name)) {
            return current;
        }
        Layer known = first.get(kind + ' ' + name);
        if (known != null) {
            return known; // figures of parts may come in between, so what was current stays
        }
        finish();
        if (!kind.equals(ENDPOINT) && first.size() < MAX_FIRST) {
            current = new Layer("", "");
            Layer layer = new Layer(kind, name);
            first.put(kind + ' ' + name, layer);
            return layer;
        }
        current = kind.equals(ENDPOINT) ? endpoint(name) : new Layer(kind, name);
        return current;
    }

    /** Takes an endpoint out of those that are kept, if it has come before: its figures may come in several places. */
    private Layer endpoint(String name) {
        for (Layer kept : endpoints) {
            if (kept.name.equals(name)) {
                endpoints.remove(kept);
                return kept;
            }
        }
        return new Layer(ENDPOINT, name);
    }

    /** Keeps the current layer, if it is worse than the best of those that are kept. */
    private void finish() {
        if (current.figures.isEmpty()) {
            return;
        }
        current.judge();
        boolean endpoint = current.kind.equals(ENDPOINT);
        PriorityQueue<Layer> kept = endpoint ? endpoints : others;
        kept.add(current);
        if (kept.size() > (endpoint ? MAX_ENDPOINTS : MAX_OTHERS)) {
            kept.remove();
            if (endpoint) {
                moreEndpoints++;
            } else {
                moreLayers++;
            }
        }
        current = new Layer("", "");
    }

    private static double weight(Layer layer) {
        double weight = 0;
        for (Map.Entry<String, Double> figure : layer.figures.entrySet()) {
            String metric = figure.getKey();
            if (metric.contains(".calls") || metric.endsWith("in.flight") || metric.endsWith("picks")) {
                weight += Math.max(0, figure.getValue());
            }
        }
        return weight;
    }

    /** Returns the policies that are kept, in order; call it once, at the end. */
    List<Layer> layers() {
        finish();
        first.values().forEach(Layer::judge);
        List<Layer> all = new ArrayList<>(first.values());
        others.stream().sorted(BY_TROUBLE.reversed()).forEach(all::add);
        return all;
    }

    /** Returns the endpoints that are kept, by name. */
    List<Layer> endpoints() {
        return endpoints.stream()
                .sorted(Comparator.comparing(layer -> layer.name))
                .toList();
    }

    long moreLayers() {
        return moreLayers;
    }

    long moreEndpoints() {
        return moreEndpoints;
    }
}
