package dev.levee.loadbalancing.strategy;

import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Makes a picker when it is first needed, which it seldom is. */
final class LazyPicker implements BalancingStrategy.Picker {
    private final Supplier<BalancingStrategy.Picker> maker;
    private volatile BalancingStrategy.@Nullable Picker made;

    LazyPicker(Supplier<BalancingStrategy.Picker> maker) {
        this.maker = maker;
    }

    private BalancingStrategy.Picker picker() {
        BalancingStrategy.Picker picker = made;
        if (picker == null) {
            picker = maker.get();
            made = picker;
        }
        return picker;
    }

    @Override
    public int pick(long hash) {
        return picker().pick(hash);
    }

    @Override
    public int pick(long hash, long nowNanos) {
        return picker().pick(hash, nowNanos);
    }

    @Override
    public int pick(long hash, IntPredicate eligible) {
        return picker().pick(hash, eligible);
    }

    @Override
    public BalancingStrategy.Choice explain(long hash, IntPredicate eligible) {
        return picker().explain(hash, eligible);
    }
}
