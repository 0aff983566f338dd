#pragma once
/// The desired services of the local stack for given settings: what each is started with, its configuration
/// file, and where it reports that it is ready. Pure: touches no file.
///
/// Ownership: values; config_text and resource_key are secret. Thread rule: free functions, safe everywhere.
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "app/stack_plan.hpp"
#include "app/stack_settings.hpp"

namespace spillway::app::stack {

/// Started in this order, stopped in reverse.
inline constexpr std::array<std::string_view, 3> service_names{"emulator", "gateway", "chat"};

struct Service {
    std::string name;
    std::string describe;                ///< its description for the user
    std::string config_file;             ///< its name in the stack's folder
    std::string config_text;             ///< the documented YAML; for the chat app, environment variables
    std::vector<std::string> arguments;  ///< of the program
    std::uint16_t health_port = 0;
    std::string health_path;
    ServiceSpec spec;
};

struct StackContext {
    std::string folder;        ///< the folder of the files, absolute
    std::string build;         ///< the program's, see build_of()
    std::string resource_key;  ///< of the emulated resources

    [[nodiscard]] std::string file(std::string_view name) const { return (folder + '/').append(name); }
};

/// By service, in the order of service_names.
[[nodiscard]] std::vector<Service> services_for(const Settings& settings, const StackContext& context);

/// 64 hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace spillway::app::stack
