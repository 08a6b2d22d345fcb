import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.CertificateFactory;
import java.util.HexFormat;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * java HttpsClient.java URL CA: GETs with each HTTP version over each TLS version; prints a line per answer.
 * java HttpsClient.java URL CA COUNT: GETs on so many connections, one after the other, with one cache of sessions; prints a status per answer.
 */
public final class HttpsClient {
    public static void main(String[] args) throws Exception {
        SSLContext context = trusting(Path.of(args[1]));
        HttpRequest request = HttpRequest.newBuilder(URI.create(args[0])).build();
        if (args.length > 2) {
            resume(context, request, Integer.parseInt(args[2]));
        } else {
            tryVersions(context, request);
        }
    }

    private static void resume(SSLContext context, HttpRequest request, int count) throws Exception {
        for (int i = 0; i < count; i++) {
            HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(context).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }

    private static void tryVersions(SSLContext context, HttpRequest request) throws Exception {
        for (HttpClient.Version http : HttpClient.Version.values()) {
            for (String tls : new String[] {"TLSv1.2", "TLSv1.3"}) {
                SSLParameters parameters = new SSLParameters();
                parameters.setProtocols(new String[] {tls});
                HttpClient client = HttpClient.newBuilder().version(http).sslContext(context).sslParameters(parameters).build();
                HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
                byte[] hash = MessageDigest.getInstance("SHA-256").digest(response.body());
                System.out.println(response.version() + " " + response.sslSession().orElseThrow().getProtocol()
                    + " " + response.statusCode() + " " + HexFormat.of().formatHex(hash));
            }
        }
    }

    private static SSLContext trusting(Path authority) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var pem = Files.newInputStream(authority)) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }
}
