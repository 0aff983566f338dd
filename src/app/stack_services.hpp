#pragma once
/// The services of the local stack as they should be for given settings: what each is started with, its
/// configuration file, where it says that it is ready. Pure: no file is touched.
///
/// Ownership: values; config_text and resource_key are secret. Thread rule: free functions, safe everywhere.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "app/stack_plan.hpp"
#include "app/stack_settings.hpp"

namespace spillway::app::stack {

/// Started in this order, stopped in the other.
inline constexpr std::array<std::string_view, 3> service_names{"emulator", "gateway", "chat"};

struct Service {
    std::string name;
    std::string describe;                ///< for the user: what it will be
    std::string config_file;             ///< its name in the stack's folder
    std::string config_text;             ///< the documented YAML; of the chat app, environment variables
    std::vector<std::string> arguments;  ///< of the program
    std::uint16_t health_port = 0;
    std::string health_path;
    ServiceSpec spec;
};

struct StackContext {
    std::string folder;        ///< where the files are, absolute
    std::string build;         ///< of the program, see build_of()
    std::string resource_key;  ///< the emulated resources' own
};

/// By service, in the order of service_names.
[[nodiscard]] std::vector<Service> services_for(const Settings& settings, const StackContext& context);

/// 64 hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace spillway::app::stack
