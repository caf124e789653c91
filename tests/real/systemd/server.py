#!/usr/bin/python3
# The app of the tests: GET /healthz says the version (the name of the release's folder), GET /metrics what was asked, GET
# /write/WORD keeps the word in /opt/app/writes and answers once it is on the disk, any other path is a request. The file `broken` in the release makes it a bad one: `exits` ends it as it starts, `500` makes
# that its answer to everything but /metrics, `slow` makes it take a second for each. Nothing but Python's small library.
import os
import socket
import sys
import threading
import time

BUCKETS = [0.005, 0.05, 0.5, 5.0]


def broken():
    try:
        with open("broken") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


version = os.path.basename(os.getcwd())
fault = broken()
lock = threading.Lock()
codes = {200: 0, 404: 0, 500: 0}
counts = [0] * (len(BUCKETS) + 1)
total = [0.0]


def metrics():
    text = "# TYPE http_requests_total counter\n"
    for code, count in codes.items():
        text += 'http_requests_total{code="%d"} %d\n' % (code, count)
    text += "# TYPE http_request_duration_seconds histogram\n"
    so_far = 0
    for bound, count in zip(BUCKETS + ["+Inf"], counts):
        so_far += count
        text += 'http_request_duration_seconds_bucket{le="%s"} %d\n' % (bound, so_far)
    text += "http_request_duration_seconds_sum %f\n" % total[0]
    text += "http_request_duration_seconds_count %d\n" % so_far
    return text + '# TYPE app_info gauge\napp_info{version="%s"} 1\n' % version


def answer(path):
    if path == "/metrics":
        with lock:
            return 200, metrics()
    if path.startswith("/write/"):
        with lock, open("/opt/app/writes", "a") as kept:
            kept.write(path[len("/write/"):] + "\n")
            kept.flush()
            os.fsync(kept.fileno())
        return 200, version + "\n"
    began = time.monotonic()
    if fault == "slow":
        time.sleep(1)
    code = 500 if fault == "500" else 200 if path in ("/", "/healthz") else 404
    took = time.monotonic() - began
    with lock:
        codes[code] += 1
        total[0] += took
        counts[next((i for i, bound in enumerate(BUCKETS) if took <= bound), len(BUCKETS))] += 1
    return code, version + "\n"


def serve(client):
    with client:
        client.settimeout(5)
        request = b""
        while b"\r\n\r\n" not in request and len(request) < 10000:
            some = client.recv(4096)
            if not some:
                return
            request += some
        path = request.split(b" ")[1].decode("latin-1")
        code, body = answer(path)
        head = "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
        client.sendall((head % (code, "OK" if code == 200 else "No", len(body)) + body).encode())


if fault == "exits":
    print("this release cannot start", file=sys.stderr)
    sys.exit(1)
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", 8000))
server.listen(64)
print("version", version, "listens", flush=True)
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
