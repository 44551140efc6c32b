package org.springframework.web.context.request.async;

/** Stands for that of Spring MVC, which is not on the class path. */
public class DeferredResult<T> {}
