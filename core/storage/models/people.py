"""Users, their sign-ins and their contracts."""

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.ground import (
    Role,
)
from core.storage.types import Base, one_of
from core.storage.written import Written


class User(Base):
    """A user: a person who can sign in."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("issuer", "subject"), one_of("role", Role))
    user_id: Mapped[str] = mapped_column(primary_key=True)
    issuer: Mapped[str | None]
    subject: Mapped[str | None]
    email: Mapped[Written] = mapped_column(unique=True)  # folded: unique regardless of case
    name: Mapped[Written]
    role: Mapped[str]
    sees_all_contracts: Mapped[bool] = mapped_column(default=False)
    only_own_orders: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)


class SignIn(Base):
    """A sign-in with the provider in one browser; without a user if it was refused."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index("ix_sign_ins_expires", "expires_at"),)
    sign_in_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    began_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class UserContract(Base):
    """A contract whose orders a user can see."""

    __tablename__ = "user_contracts"
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    contract_id: Mapped[str] = mapped_column(ForeignKey("contracts.contract_id"), primary_key=True)
