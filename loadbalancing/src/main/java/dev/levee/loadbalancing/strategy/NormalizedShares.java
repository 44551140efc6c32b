package dev.levee.loadbalancing.strategy;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import dev.levee.loadbalancing.discovery.Endpoint;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** Makes shares by name that add up to 1. */
final class NormalizedShares {
    private NormalizedShares() {}

    /** Divides any numbers that are not negative by their sum. */
    static Map<String, Double> of(String name, Map<String, Double> numbers) {
        Map<String, Double> shares = new TreeMap<>();
        double sum = 0;
        for (Map.Entry<String, Double> entry : Require.nonNull(name, numbers).entrySet()) {
            String key = Require.nonNull("name in " + name, entry.getKey());
            double number = Require.nonNull(name + " of " + key, entry.getValue());
            if (!(number >= 0 && number <= Endpoint.MAX_WEIGHT)) {
                throw new IllegalArgumentException(
                        name + " of " + Text.printable(key) + " must be from 0 to 1.0E12, but was " + number);
            }
            shares.put(key, number);
            sum += number;
        }
        if (!(sum > 0)) {
            throw new IllegalArgumentException(
                    name + " must have a sum of more than 0, but were " + Text.printable(numbers));
        }
        double total = sum;
        shares.replaceAll((key, number) -> number / total);
        return Collections.unmodifiableMap(shares);
    }
}
