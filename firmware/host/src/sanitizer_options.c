/*
 * Defaults of the sanitizer builds. The libraries of the distribution are not instrumented, so
 * ThreadSanitizer does not see their synchronisation; memory that only they touch is theirs.
 */
#if defined(__SANITIZE_THREAD__) || defined(__has_feature)
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN
#endif
#elif defined(__SANITIZE_THREAD__)
#define HAS_TSAN
#endif
#endif

#ifdef HAS_TSAN
const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);

const char *__tsan_default_options(void)
{
    return "halt_on_error=0:second_deadlock_stack=1";
}

const char *__tsan_default_suppressions(void)
{
    return "called_from_lib:libmicrohttpd\n"
           "called_from_lib:libcurl\n"
           "called_from_lib:libmosquitto\n"
           "called_from_lib:libcrypto\n"
           "called_from_lib:libssl\n";
}
#endif

typedef int sanitizer_options_translation_unit_is_not_empty;
