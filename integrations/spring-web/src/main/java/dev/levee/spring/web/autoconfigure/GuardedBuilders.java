package dev.levee.spring.web.autoconfigure;

import dev.levee.spring.web.ClientGuard;
import dev.levee.spring.web.GuardedExchanges;
import dev.levee.spring.web.GuardedRequests;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.http.client.ClientHttpRequestFactory;
import org.springframework.http.client.ClientHttpRequestInterceptor;
import org.springframework.util.ClassUtils;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

/** Puts the guards into the builders and templates that are beans. */
final class GuardedBuilders implements BeanPostProcessor {
    private static final boolean HAS_WEB_CLIENT = ClassUtils.isPresent(
            "org.springframework.web.reactive.function.client.WebClient", GuardedBuilders.class.getClassLoader());

    private final Supplier<? extends Collection<ClientGuard>> guards;

    GuardedBuilders(Supplier<? extends Collection<ClientGuard>> guards) {
        this.guards = guards;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof RestClient.Builder builder) {
            Collection<ClientGuard> configured = guards.get();
            return configured.isEmpty() ? bean : guarded(builder, configured);
        }
        if (bean instanceof RestTemplate template) {
            guard(template, guards.get());
        } else if (HAS_WEB_CLIENT && ReactiveBuilders.isBuilder(bean)) {
            ReactiveBuilders.guard(bean, guards.get());
        }
        return bean;
    }

    /** A builder that adds the guards when it builds, so that they are the last interceptors. */
    private static RestClient.Builder guarded(RestClient.Builder builder, Collection<ClientGuard> guards) {
        RestClient.Builder[] self = new RestClient.Builder[1];
        self[0] = (RestClient.Builder) Proxy.newProxyInstance(
                RestClient.Builder.class.getClassLoader(),
                new Class<?>[] {RestClient.Builder.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("build") && method.getParameterCount() == 0) {
                        RestClient.Builder copy = builder.clone();
                        guards.forEach(guard -> copy.requestInterceptor(GuardedRequests.interceptor(guard)));
                        return copy.build();
                    }
                    if (method.getName().equals("clone") && method.getParameterCount() == 0) {
                        return guarded(builder.clone(), guards);
                    }
                    if (method.getName().equals("apply") && arguments[0] instanceof Consumer<?>) {
                        @SuppressWarnings("unchecked")
                        Consumer<RestClient.Builder> consumer = (Consumer<RestClient.Builder>) arguments[0];
                        consumer.accept(self[0]);
                        return self[0];
                    }
                    try {
                        Object result = method.invoke(builder, arguments);
                        return result == builder ? self[0] : result;
                    } catch (InvocationTargetException thrown) {
                        throw thrown.getCause() == null ? thrown : thrown.getCause();
                    }
                });
        return self[0];
    }

    private static void guard(RestTemplate template, Collection<ClientGuard> guards) {
        List<ClientHttpRequestInterceptor> interceptors = new ArrayList<>(template.getInterceptors());
        template.setInterceptors(List.of()); // they stay around the factory
        ClientHttpRequestFactory factory = template.getRequestFactory();
        for (ClientGuard guard : guards) {
            factory = GuardedRequests.factory(factory, guard);
        }
        template.setRequestFactory(factory);
        template.setInterceptors(interceptors);
    }

    /** Apart, because WebFlux need not be there. */
    private static final class ReactiveBuilders {
        static boolean isBuilder(Object bean) {
            return bean instanceof WebClient.Builder;
        }

        static void guard(Object bean, Collection<ClientGuard> guards) {
            WebClient.Builder builder = (WebClient.Builder) bean;
            guards.forEach(guard -> builder.filter(GuardedExchanges.filter(guard)));
        }
    }
}
