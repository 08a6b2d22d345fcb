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

/** java HttpsClient.java URL CA: GETs with each HTTP version over each TLS version; prints a line per answer. */
public final class HttpsClient {
    public static void main(String[] args) throws Exception {
        SSLContext context = trusting(Path.of(args[1]));
        for (HttpClient.Version http : HttpClient.Version.values()) {
            for (String tls : new String[] {"TLSv1.2", "TLSv1.3"}) {
                SSLParameters parameters = new SSLParameters();
                parameters.setProtocols(new String[] {tls});
                HttpClient client = HttpClient.newBuilder().version(http).sslContext(context).sslParameters(parameters).build();
                HttpResponse<byte[]> response = client.send(
                    HttpRequest.newBuilder(URI.create(args[0])).build(), HttpResponse.BodyHandlers.ofByteArray());
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
