#pragma once
/// SPILLWAY_ADDRESS_SANITIZER: AddressSanitizer watches this program, so memory must not be reused behind its
/// back. Thread rule: a constant.

#if defined(__SANITIZE_ADDRESS__)
#define SPILLWAY_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPILLWAY_ADDRESS_SANITIZER 1
#endif
#endif
