namespace Orchestrator.Benchmarks.Proxying;

/// <summary>
/// The servers that are compared with, as Debian packages them, each set up as its own guides advise: connections to backends are kept, by
/// turns of two random ones or what comes next to it, X-Forwarded-For added, no access log.
/// </summary>
internal static class Rivals
{
    public static async Task<Daemon> StartHaproxyAsync(
        TemporaryFolder folder, IReadOnlyList<int> backends, SiteCertificate certificate, CancellationToken cancellationToken)
    {
        var (port, tls) = (FreePort.Next(), FreePort.Next());
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
                bind 127.0.0.1:{tls} ssl crt {certificate.BothFile} ssl-min-ver TLSv1.3
                default_backend back
            backend back
                balance random(2)
                default-server check inter 2s
            {Lines(backends, backend => $"    server s{backend} 127.0.0.1:{backend}")}

            """);
        return await Daemon.StartAsync(await Dependency.PathOf("haproxy"), ["-db", "-f", file], port, cancellationToken, tlsPort: tls);
    }

    public static async Task<Daemon> StartNginxAsync(
        TemporaryFolder folder, IReadOnlyList<int> backends, SiteCertificate certificate, CancellationToken cancellationToken)
    {
        var (port, tls) = (FreePort.Next(), FreePort.Next());
        var site = $$"""
                upstream back {
                    random two least_conn;
            {{Lines(backends, backend => $"        server 127.0.0.1:{backend};")}}
                    keepalive 64;
                }
                server {
                    listen 127.0.0.1:{{port}};
                    listen 127.0.0.1:{{tls}} ssl;
                    ssl_protocols TLSv1.3;
                    ssl_certificate {{certificate.CertificateFile}};
                    ssl_certificate_key {{certificate.KeyFile}};
                    location / {
                        proxy_pass http://back;
                        proxy_http_version 1.1;
                        proxy_set_header Connection "";
                        proxy_set_header Host $http_host;
                        proxy_set_header X-Forwarded-For $remote_addr;
                    }
                }
            """;
        return await Nginx.StartAsync(folder, "nginx", site, port, cancellationToken, tls);
    }

    public static async Task<Daemon> StartCaddyAsync(
        TemporaryFolder folder, IReadOnlyList<int> backends, SiteCertificate certificate, CancellationToken cancellationToken)
    {
        var (port, tls) = (FreePort.Next(), FreePort.Next());
        var file = Write(folder, "Caddyfile", $$"""
            {
                admin off
                auto_https off
                default_sni {{OurProxy.Host}}
                log {
                    level ERROR
                }
            }
            (backends) {
                reverse_proxy {{string.Join(' ', backends.Select(backend => $"127.0.0.1:{backend}"))}} {
                    lb_policy random_choose 2
                    lb_retries 2
                }
            }
            http://127.0.0.1:{{port}}, http://{{OurProxy.Host}}:{{port}} {
                import backends
            }
            https://127.0.0.1:{{tls}}, https://{{OurProxy.Host}}:{{tls}} {
                tls {{certificate.CertificateFile}} {{certificate.KeyFile}}
                import backends
            }

            """);

        // It keeps what it knows below its home.
        return await Daemon.StartAsync(
            await Dependency.PathOf("caddy"),
            ["run", "--config", file, "--adapter", "caddyfile"],
            port,
            cancellationToken,
            new Dictionary<string, string> { ["HOME"] = folder["caddy"], ["XDG_CONFIG_HOME"] = folder["caddy"], ["XDG_DATA_HOME"] = folder["caddy"] },
            tls);
    }

    private static string Write(TemporaryFolder folder, string name, string text)
    {
        File.WriteAllText(folder[name], text);
        return folder[name];
    }

    private static string Lines(IReadOnlyList<int> backends, Func<int, string> line) => string.Join('\n', backends.Select(line));
}
