package dev.levee.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.policy.Bulkhead;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** {@link Policy#wrap} for interfaces of every shape. */
class WrappedInterfacesTest {
    private final CountingGate gate = new CountingGate(Bulkhead.of("b", 9));

    @Test
    @SuppressWarnings("unchecked") // a class literal has no type arguments
    void of_the_boot_loader() throws Exception {
        Callable<String> callable = gate.wrap(Callable.class, () -> "yes");
        List<String> list = gate.wrap(List.class, new ArrayList<>(List.of("a", "b")));
        assertThat(callable.call()).isEqualTo("yes");
        assertThat(list.get(1)).isEqualTo("b");
        assertThat(list).hasSize(2).isEqualTo(List.of("a", "b"));
        assertThat(gate.exited()).isEqualTo(gate.entered()).isGreaterThan(2);
    }

    @Test
    @SuppressWarnings("unchecked") // a class literal has no type arguments
    void not_twice_with_the_same_policy() throws Exception {
        Bulkhead bulkhead = Bulkhead.of("db", 1);
        Callable<String> once = bulkhead.wrap(Callable.class, () -> "yes");
        assertThatThrownBy(() -> bulkhead.wrap(Callable.class, once))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("policies must be distinct objects, but bulkhead \"db\" stands");
        Callable<String> other = gate.wrap(Callable.class, once);
        assertThatThrownBy(() -> Pipeline.of(Bulkhead.of("c", 1), bulkhead).wrap(Callable.class, other))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(other.call()).isEqualTo("yes");
    }

    @Test
    @SuppressWarnings("unchecked") // a class literal has no type arguments
    void with_a_checked_exception_from_the_boot_loader() {
        IOException thrown = new IOException("disk");
        Callable<String> callable = gate.wrap(Callable.class, () -> {
            throw thrown;
        });
        assertThatThrownBy(callable::call).isSameAs(thrown);
    }

    interface Source<T> {
        T get();

        int sum(int... numbers);

        default String twice() {
            return get() + " " + helped();
        }

        private String helped() {
            return "and " + get();
        }
    }

    interface Texts extends Source<String> {
        @Override
        String get();
    }

    interface Stages extends Source<CompletionStage<String>> {
        @Override
        CompletableFuture<String> get();
    }

    static class RealTexts implements Texts {
        @Override
        public String get() {
            return "text";
        }

        @Override
        public int sum(int... numbers) {
            return java.util.Arrays.stream(numbers).sum();
        }
    }

    @Test
    void with_type_parameters_narrowed_results_primitives_varargs_and_private_methods() {
        Texts texts = gate.wrap(Texts.class, new RealTexts());
        Source<String> source = texts;
        assertThat(texts.get()).isEqualTo("text");
        assertThat(source.get()).isEqualTo("text");
        assertThat(texts.sum(1, 2, 3)).isEqualTo(6);
        assertThat(texts.sum()).isZero();
        assertThat(texts.twice()).isEqualTo("text and text");
        assertThat(gate.entered()).isEqualTo(5);
    }

    @Test
    void whose_narrowed_result_is_a_stage() {
        CompletableFuture<String> stage = new CompletableFuture<>();
        Stages stages = gate.wrap(Stages.class, new Stages() {
            @Override
            public CompletableFuture<String> get() {
                return stage;
            }

            @Override
            public int sum(int... numbers) {
                return 0;
            }
        });
        CompletableFuture<String> direct = stages.get();
        CompletionStage<String> general = ((Source<CompletionStage<String>>) stages).get();
        assertThat(gate.exited()).as("both are held until the stage ends").isZero();
        stage.complete("yes");
        assertThat(direct).isCompletedWithValue("yes");
        assertThat(general.toCompletableFuture()).isCompletedWithValue("yes");
        assertThat(gate.exited()).isEqualTo(2);
    }

    interface Left {
        String both() throws IOException;
    }

    interface Right {
        String both() throws IOException, InterruptedException;
    }

    interface LeftAndRight extends Left, Right {
        @Override
        String both() throws IOException;
    }

    interface Inherits extends Left, Right {}

    @Test
    void that_inherit_a_method_twice() throws IOException {
        IOException thrown = new IOException("disk");
        Inherits inherits = gate.wrap(Inherits.class, () -> {
            throw thrown;
        });
        LeftAndRight overrides = gate.wrap(LeftAndRight.class, () -> "yes");
        assertThatThrownBy(((Left) inherits)::both).isSameAs(thrown);
        assertThatThrownBy(((Right) inherits)::both).isSameAs(thrown);
        assertThat(((Left) overrides).both()).isEqualTo("yes");
        assertThat(gate.entered()).isEqualTo(3);
    }

    sealed interface Sealed permits OneOfTwo {}

    record OneOfTwo() implements Sealed {}

    @Nested
    class Refuse {
        @Test
        void a_sealed_interface() {
            assertThatThrownBy(() -> gate.wrap(Sealed.class, new OneOfTwo()))
                    .isInstanceOf(IllegalArgumentException.class);
        }

        @Test
        @SuppressWarnings({"unchecked", "rawtypes"})
        void an_interface_of_a_package_that_its_module_keeps() throws ClassNotFoundException {
            Class hidden = Class.forName("jdk.internal.misc.Signal$Handler");
            Object target = java.lang.reflect.Proxy.newProxyInstance(
                    hidden.getClassLoader(), new Class<?>[] {hidden}, (proxy, method, arguments) -> null);
            assertThatThrownBy(() -> gate.wrap(hidden, target))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(hidden.getName());
        }

        @Test
        void null_with_the_name_of_the_argument() {
            assertThatThrownBy(() -> gate.wrap(null, "x")).hasMessage("type").isInstanceOf(NullPointerException.class);
            assertThatThrownBy(() -> gate.wrap(Callable.class, null)).hasMessage("target");
            assertThatThrownBy(() -> Policy.wrap(Callable.class, () -> 1, null)).hasMessage("choice");
        }
    }

    @Test
    void forms_name_what_is_null_at_once() {
        assertThatThrownBy(() -> gate.decorateSupplier(null)).hasMessage("supplier");
        assertThatThrownBy(() -> gate.decorateCallable(null)).hasMessage("callable");
        assertThatThrownBy(() -> gate.decorateRunnable(null)).hasMessage("runnable");
        assertThatThrownBy(() -> gate.decorateFunction((Function<String, String>) null))
                .hasMessage("function");
        assertThatThrownBy(() -> gate.decorateStage(null)).hasMessage("supplier");
    }
}
