using System.Net.Sockets;

namespace CSsl.Bench.Servers;

/// <summary>Debian's nginx with a configuration of its own: as a proxy to the same origin, or serving a static file.</summary>
internal sealed class Nginx : IContestant
{
    private const string DefaultPath = "/usr/sbin/nginx";

    private readonly ServerProcess _process;

    private Nginx(ServerProcess process, string name, int port)
    {
        (_process, Name, Port) = (process, name, port);
        ProcessIds = CpuTime.Tree(process.Id);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Port { get; }

    /// <inheritdoc/>
    public IReadOnlyList<int> ProcessIds { get; }

    /// <summary>Starts one.</summary>
    /// <param name="folder">For its configuration and files; made here.</param>
    /// <param name="certificates">State folder with ecdsa.crt and ecdsa.key.</param>
    /// <param name="origin">URL to proxy to; null serves a file of 1,024 bytes at /bytes/1024.</param>
    /// <exception cref="BenchException">nginx is not installed or does not start.</exception>
    public static async Task<Nginx> StartAsync(string folder, string certificates, string? origin)
    {
        if (!File.Exists(DefaultPath))
            throw new BenchException($"{DefaultPath} is not there: install nginx (apt-get install nginx-light), the yardstick of this benchmark");

        Directory.CreateDirectory(Path.Combine(folder, "bytes"));
        await File.WriteAllBytesAsync(Path.Combine(folder, "bytes", "1024"), new byte[1024]);
        int port = Cssl.FreePort();
        string configuration = Path.Combine(folder, "nginx.conf");
        await File.WriteAllTextAsync(configuration, Configuration(folder, certificates, port, origin));

        (ServerProcess process, _) = await ServerProcess.StartAsync(DefaultPath, ["-c", configuration, "-p", folder, "-e", Path.Combine(folder, "error.log"), "-g", "daemon off;"], readyPrefix: null);
        await ConnectAsync(port, process);
        return new Nginx(process, origin is null ? "nginx (static file)" : "nginx (proxy)", port);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string Configuration(string folder, string certificates, int port, string? origin)
    {
        string upstream = origin is null ? "" : $"upstream origin {{ server {new Uri(origin).Authority}; keepalive 128; keepalive_requests 1000000; }}";
        string location = origin is null
            ? $"location / {{ root {folder}; }}"
            : "location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host localhost; "
              + "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https; proxy_max_temp_file_size 0; proxy_request_buffering off; }";
        return $$"""
            user root;
            worker_processes auto;
            error_log {{folder}}/error.log;
            pid {{folder}}/nginx.pid;
            events { worker_connections 10000; }
            http {
              access_log off;
              default_type application/octet-stream;
              keepalive_requests 1000000;
              client_max_body_size 0;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
              {{upstream}}
              server {
                listen 127.0.0.1:{{port}} ssl backlog=4096;
                ssl_certificate {{certificates}}/ecdsa.crt;
                ssl_certificate_key {{certificates}}/ecdsa.key;
                ssl_protocols TLSv1.2 TLSv1.3;
                {{location}}
              }
            }

            """;
    }

    /// <summary>Waits until it accepts and its workers are there.</summary>
    private static async Task ConnectAsync(int port, ServerProcess process)
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port);
                if (CpuTime.Tree(process.Id).Count > 1)
                    return;
            }
            catch (SocketException)
            {
                // not yet
            }

            await Task.Delay(50);
        }

        throw new BenchException($"nginx does not answer on port {port}:\n{process.Tail()}");
    }
}
