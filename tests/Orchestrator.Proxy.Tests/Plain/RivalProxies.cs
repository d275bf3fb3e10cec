using System.Diagnostics;
using System.Net.Sockets;

namespace Orchestrator.Proxy.Tests.Plain;

/// <summary>Debian's HAProxy and nginx in front of one replica, each as its guides advise and with nothing added.</summary>
internal sealed class RivalProxies : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<Process> _processes = [];

    public Uri Haproxy { get; private set; } = null!;

    public Uri Nginx { get; private set; } = null!;

    public static async Task<RivalProxies> StartAsync(int replica)
    {
        var rivals = new RivalProxies();
        try
        {
            rivals.Haproxy = await rivals.StartAsync("haproxy", ["-db", "-f"], port => $"""
                defaults
                    mode http
                    timeout connect 5s
                    timeout client 1s
                    timeout server 1s
                    timeout tunnel 1s
                listen front
                    bind 127.0.0.1:{port}
                    server replica 127.0.0.1:{replica}

                """);
            rivals.Nginx = await rivals.StartAsync("nginx", ["-p", rivals._folder.Path, "-e", rivals._folder["error.log"], "-c"], port => $$"""
                daemon off;
                user root;
                pid {{rivals._folder["pid"]}};
                events {
                }
                http {
                    access_log off;
                    client_body_temp_path {{rivals._folder["body"]}};
                    proxy_temp_path {{rivals._folder["proxy"]}};
                    fastcgi_temp_path {{rivals._folder["fastcgi"]}};
                    uwsgi_temp_path {{rivals._folder["uwsgi"]}};
                    scgi_temp_path {{rivals._folder["scgi"]}};
                    client_header_timeout 1s;
                    client_body_timeout 1s;
                    large_client_header_buffers 8 64k;
                    server {
                        listen 127.0.0.1:{{port}};
                        location / {
                            proxy_pass http://127.0.0.1:{{replica}};
                            proxy_http_version 1.1;
                            proxy_request_buffering off;
                            proxy_read_timeout 1s;
                            proxy_set_header Connection "";
                            proxy_set_header Host $http_host;
                        }
                    }
                }

                """);
            return rivals;
        }
        catch
        {
            await rivals.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await Command.RunAsync("kill", ["-TERM", $"{process.Id}"]);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        _folder.Dispose();
    }

    private async Task<Uri> StartAsync(string program, string[] arguments, Func<int, string> settings)
    {
        var port = FreePort.Next();
        var file = _folder[$"{program}.conf"];
        await File.WriteAllTextAsync(file, settings(port));
        _processes.Add(Process.Start(await Dependency.PathOf(program), [.. arguments, file]));
        await Eventually.True(async () =>
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync("127.0.0.1", port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        });
        return new Uri($"http://127.0.0.1:{port}/");
    }
}
