"""An SMTP relay for tests, made of aiosmtpd.

Prints {"port": N} when it is ready, then one JSON line for each accepted mail,
{"from", "to", "data", "peer_tls", "auth"}, and one for each login, {"login"}.
Ends when its standard input ends.

What it answers depends on the local part of the address:
  refused@  550 always                policy@  554 always
  full@     452 always                gone@    250 the first time, then 550
  away@     550 the second and third time, else 250
  turned@   250, then 451, then 554
  grey@     451 the second time, else 250: as if a check had come long before
  nomail@   as a sender: 550
and on words in the mail:
  BREAK-AFTER-DATA  prints the mail, then closes the connection without an answer
  REJECT-CONTENT    554                DEFER-CONTENT    451
"""

import argparse
import asyncio
import collections
import json
import logging
import os
import ssl
import sys
import threading
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


def tell(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


class Rules:
    def __init__(self):
        self.asked = collections.Counter()

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("nomail@"):
            return "550 5.7.1 this sender may not send"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.partition("@")[0]
        if local == "refused":
            return "550 5.1.1 no such user"
        if local == "full":
            return "452 4.2.2 mailbox full"
        if local == "policy":
            return "554 5.7.1 policy"
        self.asked[address] += 1
        if local == "grey" and self.asked[address] == 2:
            return "451 4.7.1 greylisted, try again"
        if local == "gone" and self.asked[address] > 1:
            return "550 5.1.1 no such user"
        if local == "away" and self.asked[address] in (2, 3):
            return "550 5.1.1 no such user"
        if local == "turned" and self.asked[address] > 1:
            return "451 4.7.1 later" if self.asked[address] == 2 else "554 5.6.0 never"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        data = envelope.content.decode("utf-8", "replace")
        if "REJECT-CONTENT" in data:
            return "554 5.6.0 content refused"
        if "DEFER-CONTENT" in data:
            return "451 4.3.0 try later"
        tell({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": data,
            "peer_tls": server.transport.get_extra_info("ssl_object") is not None,
            "auth": session.authenticated is True,
        })
        if "BREAK-AFTER-DATA" in data:
            server.transport.abort()
            # Cancelled when the connection is gone.
            await asyncio.Future()
        return "250 2.0.0 queued"


async def main(options):
    tls = None
    if options.mode != "none":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.cert, options.key)
    login = (options.user or "").encode(), (options.password or "").encode()

    def authenticate(server, session, envelope, mechanism, data):
        tell({"login": mechanism})
        good = isinstance(data, LoginPassword) and (data.login, data.password) == login
        return AuthResult(success=good, handled=False)

    rules = Rules()

    def connection():
        return SMTP(
            rules,
            hostname="relay.test",
            enable_SMTPUTF8=not options.no_smtputf8,
            tls_context=tls if options.mode == "starttls" else None,
            require_starttls=options.mode == "starttls",
            authenticator=authenticate,
            auth_required=options.user is not None,
            # aiosmtpd knows of STARTTLS only.
            auth_require_tls=options.mode == "starttls",
        )

    implicit = tls if options.mode == "implicit" else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, options.host, options.port, ssl=implicit)

    def end():
        sys.stdin.buffer.read()
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
    tell({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--mode", choices=["starttls", "implicit", "none"], default="none")
    arguments.add_argument("--cert", help="PEM, with the chain (not for mode none)")
    arguments.add_argument("--key", help="PEM (not for mode none)")
    arguments.add_argument("--user", help="requires a login")
    arguments.add_argument("--password")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--port", type=int, default=0, help="0: a free one")
    arguments.add_argument("--no-smtputf8", action="store_true")
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    asyncio.run(main(arguments.parse_args()))
