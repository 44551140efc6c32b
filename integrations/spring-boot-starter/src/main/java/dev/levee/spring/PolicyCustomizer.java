package dev.levee.spring;

/**
 * Sets what properties cannot say of policies that the configuration names: rules for outcomes in code, what becomes of
 * results that are not used. A bean of this type is asked once for each policy whose builder it takes, after the
 * properties, and again when settings change.
 *
 * <pre>{@code
 * @Bean
 * PolicyCustomizer<RetryConfig.Builder> closeResponses() {
 *     return PolicyCustomizer.of(RetryConfig.Builder.class, (name, retry) -> retry.discard(Responses::close));
 * }
 * }</pre>
 *
 * @param <B> the builder, such as {@code RetryConfig.Builder}
 * @since 0.1
 */
public interface PolicyCustomizer<B> {
    /**
     * Returns which builders it takes.
     *
     * @return the class of the builder
     */
    Class<B> builderType();

    /**
     * Changes the settings of one policy.
     *
     * @param name the name of the policy; with its key, if there is one policy for each key
     * @param builder the builder with what the properties say
     */
    void customize(String name, B builder);

    /**
     * Makes a customizer of a function.
     *
     * @param type the class of the builder
     * @param function what it does
     * @param <B> the builder
     * @return the customizer
     * @throws NullPointerException if an argument is null
     */
    static <B> PolicyCustomizer<B> of(
            Class<B> type, java.util.function.BiConsumer<? super String, ? super B> function) {
        return new FunctionCustomizer<>(type, function);
    }
}
