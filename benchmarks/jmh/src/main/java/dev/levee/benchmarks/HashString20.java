package dev.levee.benchmarks;

import com.google.common.hash.HashFunction;
import com.google.common.hash.Hashing;
import dev.levee.loadbalancing.hash.XxHash64;
import java.nio.charset.StandardCharsets;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * {@code hash.string20}: 64 bits (Guava: 128, or 32) of a string of twenty ASCII characters, as its UTF-8 bytes.
 *
 * <pre>benchmarks/compare '^hash.string20$'</pre>
 */
public class HashString20 {
    @Benchmark
    public long levee(Keys keys) {
        return XxHash64.hash(keys.text());
    }

    @State(Scope.Benchmark)
    public static class Murmur3of128State {
        final HashFunction murmur = Hashing.murmur3_128();
    }

    @Benchmark
    public long guavaMurmur3of128(Murmur3of128State state, Keys keys) {
        return state.murmur.hashString(keys.text(), StandardCharsets.UTF_8).asLong();
    }

    @State(Scope.Benchmark)
    public static class Murmur3of32State {
        final HashFunction murmur = Hashing.murmur3_32_fixed();
    }

    @Benchmark
    public int guavaMurmur3of32(Murmur3of32State state, Keys keys) {
        return state.murmur.hashString(keys.text(), StandardCharsets.UTF_8).asInt();
    }
}
