/* A tiny service: stamps the clocks when main() begins and when it listens, then answers 200.
 *
 *   child STAMPS PORT [NOTIFY_FD]
 *
 * A stamp is one line: what, monotonic ns, realtime ns, pid. NOTIFY_FD gets a line break once it
 * listens, as s6 wants it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long long ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void stamp(int out, const char *what, long long monotonic, long long real) {
  char line[128];
  int length = snprintf(line, sizeof line, "%s %lld %lld %d\n", what, monotonic, real, getpid());
  if (write(out, line, length) != length) _exit(3);
}

int main(int argc, char **argv) {
  long long monotonic = ns(CLOCK_MONOTONIC), real = ns(CLOCK_REALTIME);
  if (argc < 3) return 2;
  int out = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  stamp(out, "main", monotonic, real);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2])),
                           .sin_addr = {htonl(INADDR_LOOPBACK)}};
  if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 16)) return 1;
  stamp(out, "listen", ns(CLOCK_MONOTONIC), ns(CLOCK_REALTIME));
  if (argc > 3) {
    if (write(atoi(argv[3]), "\n", 1) != 1) return 3;
    close(atoi(argv[3]));
  }
  const char *ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
  for (;;) {
    char request[4096];
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    if (read(client, request, sizeof request) > 0 && write(client, ok, strlen(ok)) < 0) {
    }
    close(client);
  }
}
