namespace Orchestrator.Benchmarks.Proxying;

/// <summary>
/// The servers that are compared with, as Debian packages them, each set up as its own guides advise: connections to backends are kept, by
/// turns of two random ones or what comes next to it, X-Forwarded-For added, no access log.
/// </summary>
internal static class Rivals
{
    public static async Task<Daemon> StartHaproxyAsync(TemporaryFolder folder, IReadOnlyList<int> backends, CancellationToken cancellationToken)
    {
        var port = FreePort.Next();
        var file = Write(folder, "haproxy.cfg", $"""
            global
                maxconn 4096
            defaults
                mode http
                timeout connect 1500ms
                timeout client 60s
                timeout server 60s
                option forwardfor
                option redispatch
                retries 2
                retry-on conn-failure empty-response
            frontend front
                bind 127.0.0.1:{port}
                default_backend back
            backend back
                balance random(2)
                default-server check inter 2s
            {Lines(backends, backend => $"    server s{backend} 127.0.0.1:{backend}")}

            """);
        return await Daemon.StartAsync(await Dependency.PathOf("haproxy"), ["-db", "-f", file], port, cancellationToken);
    }

    public static async Task<Daemon> StartNginxAsync(TemporaryFolder folder, IReadOnlyList<int> backends, CancellationToken cancellationToken)
    {
        var port = FreePort.Next();
        var site = $$"""
                upstream back {
                    random two least_conn;
            {{Lines(backends, backend => $"        server 127.0.0.1:{backend};")}}
                    keepalive 64;
                }
                server {
                    listen 127.0.0.1:{{port}};
                    location / {
                        proxy_pass http://back;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $http_host;
                        proxy_set_header X-Forwarded-For $remote_addr;
                    }
                }
            """;
        return await Nginx.StartAsync(folder, "nginx", site, port, cancellationToken);
    }

    public static async Task<Daemon> StartCaddyAsync(TemporaryFolder folder, IReadOnlyList<int> backends, CancellationToken cancellationToken)
    {
        var port = FreePort.Next();
        var file = Write(folder, "Caddyfile", $$"""
            {
                admin off
                auto_https off
                log {
                    level ERROR
                }
            }
            http://127.0.0.1:{{port}}, http://{{OurProxy.Host}}:{{port}} {
                reverse_proxy {{string.Join(' ', backends.Select(backend => $"127.0.0.1:{backend}"))}} {
                    lb_policy random_choose 2
                    lb_retries 2
                }
            }

            """);

        // It keeps what it knows below its home.
        return await Daemon.StartAsync(
            await Dependency.PathOf("caddy"),
            ["run", "--config", file, "--adapter", "caddyfile"],
            port,
            cancellationToken,
            new Dictionary<string, string> { ["HOME"] = folder["caddy"], ["XDG_CONFIG_HOME"] = folder["caddy"], ["XDG_DATA_HOME"] = folder["caddy"] });
    }

    private static string Write(TemporaryFolder folder, string name, string text)
    {
        File.WriteAllText(folder[name], text);
        return folder[name];
    }

    private static string Lines(IReadOnlyList<int> backends, Func<int, string> line) => string.Join('\n', backends.Select(line));
}
