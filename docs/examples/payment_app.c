/* A payment application at tcp://127.0.0.1:9100: one request a connection, in JSON or XML, answered in kind.
   cc -o payment_app payment_app.c */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The value of a field, as "name":"value" or <name>value</name>; empty where the request does not have it. */
static const char *field(const char *request, const char *name, char *value, size_t size) {
    char key[64];
    int xml = request[0] == '<';
    snprintf(key, sizeof key, xml ? "<%s>" : "\"%s\":\"", name);
    const char *at = strstr(request, key), *end = at ? strchr(at += strlen(key), xml ? '<' : '"') : NULL;
    snprintf(value, size, "%.*s", end ? (int)(end - at) : 0, end ? at : "");
    return value;
}

int main(int count, char **arguments) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(count > 1 ? atoi(arguments[1]) : 9100),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 8)) return perror("listen"), 1;
    signal(SIGPIPE, SIG_IGN);
    puts("ready"), fflush(stdout);
    for (int client; (client = accept(listener, NULL, NULL)) >= 0; close(client)) {
        char request[8192] = "", command[32], amount[32], ref[80], answer[512];
        ssize_t got = 0, part;      /* a flat message: whole when its last bracket or closing tag is here */
        while (!strchr(request, '}') && !strstr(request, "</request>") &&
               (part = read(client, request + got, sizeof request - 1 - got)) > 0)
            request[got += part] = 0;
        if (!strchr(request, '}') && !strstr(request, "</request>")) continue;     /* cut off: nothing ran */
        field(request, "Command", command, sizeof command), field(request, "RefID", ref, sizeof ref);
        int approved = strcmp(field(request, "Amount", amount, sizeof amount), "5.05") != 0;
        const char *result = approved ? "Approved" : "Declined";        /* here the card is read */
        const char *form = request[0] == '<'
            ? "<response><ResultCode>%s</ResultCode><TransType>%s</TransType><Amount>%s</Amount><RefID>%s</RefID></response>"
            : "{\"ResultCode\":\"%s\",\"TransType\":\"%s\",\"Amount\":\"%s\",\"RefID\":\"%s\"}";
        int size = snprintf(answer, sizeof answer, form, result, command, amount, ref);
        if (write(client, answer, size) != size) perror("write");
    }
    return 1;
}
