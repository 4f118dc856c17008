"""A webhook receiver on loopback that verifies with the published Standard Webhooks library.

    python3 -m venv VENV && VENV/bin/pip install standardwebhooks==1.1.0
    VENV/bin/python standard_webhooks.py whsec_...

Prints {"port": N} when it listens, then one JSON line for each POST: whether the library took it, what the body says it
is, its webhook-id, the library's words where it refused, headers and body. Answers 204, or 401 with those words. Ends when
its standard input does.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook

LOCK = threading.Lock()


def say(line):
    with LOCK:
        print(json.dumps(line), flush=True)


def receiver(secret):
    webhook = Webhook(secret)

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            kind, words = None, None
            try:
                kind = webhook.verify(body, headers).get("type")
            # The library raises more than its own error: ValueError for a malformed list, say.
            except Exception as error:
                words = str(error) or type(error).__name__
            line = {"verified": words is None, "type": kind, "id": headers.get("webhook-id"), "error": words}
            say({**line, "headers": headers, "body": body.decode()})
            answer = (words or "").encode()
            self.send_response(204 if words is None else 401)
            if answer:
                self.send_header("content-type", "text/plain; charset=utf-8")
                self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    return Receiver


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), receiver(sys.argv[1]))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say({"port": server.server_address[1]})
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
