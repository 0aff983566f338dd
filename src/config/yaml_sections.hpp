#pragma once
/// The parts of a gateway's file, read one by one: the inside of config/yaml.hpp.
///
/// Each function reads what it finds into `out` and reports the rest to the reader's context.
#include <vector>

#include "config/gateway.hpp"
#include "config/yaml_reader.hpp"

namespace spillway::config::yaml {

/// The list under `backends`, with names for those that have none.
void read_backends(MapReader& root, std::vector<BackendConfig>& out);
/// The list under `clients`; keys become digests.
void read_clients(MapReader& root, std::vector<ClientConfig>& out);
void read_listen(MapReader& reader, std::string_view key, ListenConfig& out);
/// Whether the list is absent or empty; what is no list is reported by MapReader::list().
[[nodiscard]] bool is_empty_list(MapReader& reader, std::string_view key);
/// Reports a file that cannot be read now, so that it is known before the start.
void check_readable(MapReader& reader, std::string_view key, const std::string& path);

}  // namespace spillway::config::yaml
