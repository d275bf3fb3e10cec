namespace Orchestrator.Benchmarks.Proxying;

/// <summary>Debian's nginx, out of the cache: as one of the proxies, and as the replicas behind all of them.</summary>
internal static class Nginx
{
    /// <summary>Returns the ports of as many replicas: one server, a port each.</summary>
    public static async Task<(Daemon Server, IReadOnlyList<int> Ports)> StartReplicasAsync(
        TemporaryFolder folder, int replicas, CancellationToken cancellationToken)
    {
        var ports = Enumerable.Range(0, replicas).Select(_ => FreePort.Next()).ToList();
        var site = Directory.CreateDirectory(folder["site"]).FullName;
        foreach (var bytes in Scenario.All.Select(scenario => scenario.Bytes).Distinct())
        {
            await File.WriteAllBytesAsync(Path.Combine(site, $"{bytes}.bin"), new byte[bytes], cancellationToken);
        }

        var server = await StartAsync(folder, "replicas", $$"""
                keepalive_requests 1000000;
                sendfile on;
                tcp_nopush on;
                open_file_cache max=100;
                server {
            {{string.Join('\n', ports.Select(port => $"        listen 127.0.0.1:{port};"))}}
                    root {{site}};
                }
            """, ports[0], cancellationToken);
        return (server, ports);
    }

    public static async Task<Daemon> StartAsync(TemporaryFolder folder, string name, string site, int port, CancellationToken cancellationToken, int? tlsPort = null)
    {
        // Whatever it writes goes below a folder of its own.
        var own = Directory.CreateDirectory(folder[$"{name}.d"]).FullName;
        var file = folder[$"{name}.conf"];
        await File.WriteAllTextAsync(file, $$"""
            daemon off;
            user root;
            worker_processes auto;
            pid {{own}}/pid;
            error_log {{own}}/error.log;
            events {
                worker_connections 4096;
            }
            http {
                access_log off;
                client_body_temp_path {{own}}/body;
                proxy_temp_path {{own}}/proxy;
                fastcgi_temp_path {{own}}/fastcgi;
                uwsgi_temp_path {{own}}/uwsgi;
                scgi_temp_path {{own}}/scgi;
            {{site}}
            }

            """, cancellationToken);
        return await Daemon.StartAsync(await Dependency.PathOf("nginx"), ["-c", file, "-p", own, "-e", $"{own}/error.log"], port, cancellationToken, tlsPort: tlsPort);
    }
}
